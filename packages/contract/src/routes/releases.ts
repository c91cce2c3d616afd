import { digest } from '@landfall/stack'
import { z } from 'zod'
import { route } from '../route.ts'
import { inProject, page, pageQuery, projectName, slug } from '../schemas/common.ts'
import { channel, envelope, fleetPlan, release, releaseDetail } from '../schemas/release.ts'

const blob = z.strictObject({ project: projectName, digest })
const one = z.strictObject({ project: projectName, release: z.string() })
const channelParams = z.strictObject({ project: projectName, channel: slug })
const tag = 'releases'
export const releaseRoutes = {
  hasBlobs: route({
    operation: 'hasBlobs',
    method: 'POST',
    path: '/api/projects/{project}/blobs/missing',
    tag,
    summary: 'Which of these blobs are not here yet',
    access: { role: 'developer', tokens: ['ci'] },
    params: inProject,
    body: z.strictObject({ digests: z.array(digest).max(10_000) }),
    result: z.object({ missing: z.array(digest) }),
    status: 200,
  }),
  putBlob: route({
    operation: 'putBlob',
    method: 'PUT',
    path: '/api/projects/{project}/blobs/{digest}',
    tag,
    summary: 'Upload a blob; refused when its content has another digest',
    access: { role: 'developer', tokens: ['ci'] },
    params: blob,
    body: 'bytes',
    maxBody: 2_147_483_648,
  }),
  getBlob: route({
    operation: 'getBlob',
    method: 'GET',
    path: '/api/projects/{project}/blobs/{digest}',
    tag,
    summary: 'A blob',
    access: { role: 'viewer', tokens: ['ci', 'agent'] },
    params: blob,
    result: 'bytes',
  }),
  createRelease: route({
    operation: 'createRelease',
    method: 'POST',
    path: '/api/projects/{project}/releases',
    tag,
    summary: 'Publish a signed release; starts a rollout by its channel’s plan unless told otherwise',
    access: { role: 'developer', tokens: ['ci'] },
    params: inProject,
    maxBody: 4_194_304,
    body: z.strictObject({ envelope, rollout: z.enum(['start', 'none']).default('start'), plan: fleetPlan.optional() }),
    result: z.object({ release, rollout: z.string().nullable() }),
  }),
  nextSequence: route({
    operation: 'nextSequence',
    method: 'GET',
    path: '/api/projects/{project}/releases/sequence',
    tag,
    summary: 'The sequence the next release is to carry',
    access: { role: 'developer', tokens: ['ci'] },
    params: inProject,
    result: z.object({ next: z.number().int() }),
  }),
  listReleases: route({
    operation: 'listReleases',
    method: 'GET',
    path: '/api/projects/{project}/releases',
    tag,
    summary: 'Releases, newest first',
    access: { role: 'viewer', tokens: ['ci'] },
    params: inProject,
    query: z.strictObject({ ...pageQuery, channel: slug.optional() }),
    result: page(release),
  }),
  getRelease: route({
    operation: 'getRelease',
    method: 'GET',
    path: '/api/projects/{project}/releases/{release}',
    tag,
    summary: 'A release by digest or version',
    access: { role: 'viewer', tokens: ['ci', 'agent'] },
    params: one,
    result: releaseDetail,
  }),

  listChannels: route({
    operation: 'listChannels',
    method: 'GET',
    path: '/api/projects/{project}/channels',
    tag: 'channels',
    summary: 'Channels',
    access: { role: 'viewer', tokens: ['ci'] },
    params: inProject,
    result: z.object({ items: z.array(channel) }),
  }),
  putChannel: route({
    operation: 'putChannel',
    method: 'PUT',
    path: '/api/projects/{project}/channels/{channel}',
    tag: 'channels',
    summary: 'Make or change a channel and its plan',
    access: { role: 'developer' },
    params: channelParams,
    body: z.strictObject({ description: z.string().max(500).default(''), plan: fleetPlan.optional() }),
    result: channel,
  }),
  deleteChannel: route({
    operation: 'deleteChannel',
    method: 'DELETE',
    path: '/api/projects/{project}/channels/{channel}',
    tag: 'channels',
    summary: 'Delete a channel that no deployment follows',
    access: { role: 'admin' },
    params: channelParams,
  }),
}
