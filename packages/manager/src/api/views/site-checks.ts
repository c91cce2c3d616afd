import type { explanation } from '@landfall/contract'
import type { z } from 'zod'
import { agoFrom, siteNews, siteSentence } from '../../exports/site-news.ts'
import type { Database } from '../../store/database.ts'
import type { DeploymentRow } from '../../store/deployments/find-deployment.ts'

type Check = z.output<typeof explanation>['checks'][number]

/**
 * The road of a site that nobody can reach, in place of a rollout and a runner: whether a bundle with the newest release was made, and
 * whether the site has said since that it acted on it. Null where the manager or an agent that syncs is the road.
 *
 * @param newest version and digest of the channel's newest release
 * @param now milliseconds since the epoch
 */
export async function siteCheck(
  db: Database,
  row: DeploymentRow,
  newest: { version: string; digest: string } | undefined,
  now: number,
): Promise<Check | null> {
  const news = (await siteNews(db, [row.id])).get(row.id)
  if (!news) return null
  const ago = agoFrom(now)
  const known = `${siteSentence(news, ago)}.`
  const { bundle } = news
  if (newest === undefined) return check('ok', 'BY_BUNDLE', known, null)
  if (row.target_release !== newest.digest) {
    return check(
      'waiting',
      'NO_BUNDLE',
      `No bundle with ${newest.version} was made for it. ${known}`,
      bundle?.at ?? null,
    )
  }
  if (row.observed_generation < row.requested_generation) {
    const message = bundle
      ? `Nothing was reported since the bundle for ${bundle.version ?? newest.version} was made. ${known}`
      : `It was told ${newest.version}, and no bundle was made since. ${known}`
    return check('waiting', bundle ? 'BUNDLE_UNREPORTED' : 'NO_BUNDLE', message, bundle?.at ?? null)
  }
  return check('ok', 'BY_BUNDLE', known, news.reportedAt)
}

function check(status: Check['status'], code: string, message: string, at: number | null): Check {
  return { name: 'bundle', status, code, message, since: at === null ? null : new Date(at).toISOString() }
}
