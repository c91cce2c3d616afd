import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/*
 * The rules of the OCI image specification 1.1 (image-layout.md, descriptor.md, manifest.md, image-index.md, config.md and annotations.md)
 * for a layout in a directory, without any code that writes ours.
 */

const mediaType = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/)
const digest = z.string().regex(/^sha256:[a-f0-9]{64}$/)
const annotations = z.record(z.string().min(1), z.string())
/** annotations.md: `org.opencontainers.image.ref.name`. */
const refName = /^[A-Za-z0-9]+((--|[-._:@+])[A-Za-z0-9]+)*(\/[A-Za-z0-9]+((--|[-._:@+])[A-Za-z0-9]+)*)*$/
const descriptor = z.object({
  mediaType,
  digest,
  size: z.number().int().min(0),
  urls: z.array(z.url()).optional(),
  annotations: annotations.optional(),
  artifactType: mediaType.optional(),
})
const index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal('application/vnd.oci.image.index.v1+json').optional(),
  manifests: z.array(descriptor),
  annotations: annotations.optional(),
})
const manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal('application/vnd.oci.image.manifest.v1+json').optional(),
  artifactType: mediaType.optional(),
  config: descriptor,
  layers: z.array(descriptor).min(1),
  subject: descriptor.optional(),
  annotations: annotations.optional(),
})
const strings = z.array(z.string())
const config = z.object({
  created: z.iso.datetime({ offset: true }).optional(),
  architecture: z.string().min(1),
  os: z.string().min(1),
  config: z
    .object({
      User: z.string(),
      Env: strings,
      Entrypoint: strings.nullable(),
      Cmd: strings.nullable(),
      WorkingDir: z.string(),
      Labels: z.record(z.string(), z.string()).nullable(),
    })
    .partial()
    .optional(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest) }),
})

export interface SeenLayout {
  /** By reference: the manifest and its layers' digests with their types. */
  refs: Map<string, { manifest: string; layers: { digest: string; mediaType: string; title: string | undefined }[] }>
  blob(digest: string): Promise<Buffer>
}

/** Reads a layout as any OCI tool may. Throws at the first thing that is not as the specification says. */
export async function readLayout(dir: string): Promise<SeenLayout> {
  const json = async (bytes: Promise<Buffer>): Promise<unknown> => JSON.parse((await bytes).toString('utf8'))
  const blob = async (name: string): Promise<Buffer> => {
    const bytes = await readFile(join(dir, 'blobs', 'sha256', name.slice('sha256:'.length)))
    const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    if (found !== name) throw new Error(`the blob ${name} has the content of ${found}`)
    return bytes
  }
  const part = async (of: z.infer<typeof descriptor>): Promise<Buffer> => {
    const bytes = await blob(of.digest)
    if (bytes.length !== of.size) throw new Error(`${of.digest} has ${bytes.length} bytes, not ${of.size}`)
    return bytes
  }
  z.object({ imageLayoutVersion: z.literal('1.0.0') }).parse(await json(readFile(join(dir, 'oci-layout'))))
  const top = index.parse(await json(readFile(join(dir, 'index.json'))))
  const refs: SeenLayout['refs'] = new Map()
  const reached = new Set<string>()
  for (const entry of top.manifests) {
    const ref = entry.annotations?.['org.opencontainers.image.ref.name'] ?? ''
    if (!refName.test(ref) || refs.has(ref)) throw new Error(`${ref} is no reference, or is there twice`)
    const one = manifest.parse(await json(part(entry)))
    if (one.mediaType !== undefined && one.mediaType !== entry.mediaType) throw new Error(`${ref} has two types`)
    const image = config.parse(await json(part(one.config)))
    if (image.rootfs.diff_ids.length !== one.layers.length) throw new Error(`${ref}: diff_ids and layers differ`)
    for (const layer of one.layers) await part(layer)
    for (const each of [entry, one.config, ...one.layers]) reached.add(each.digest)
    const layers = one.layers.map((layer) => ({
      digest: layer.digest,
      mediaType: layer.mediaType,
      title: layer.annotations?.['org.opencontainers.image.title'],
    }))
    refs.set(ref, { manifest: entry.digest, layers })
  }
  for (const name of await readdir(join(dir, 'blobs', 'sha256'))) {
    await blob(`sha256:${name}`)
    if (!reached.has(`sha256:${name}`)) throw new Error(`nothing names the blob ${name}`)
  }
  return { refs, blob }
}
