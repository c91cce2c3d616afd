import * as r from './src/index.ts'
const c = await r.loadConfig('/tmp/demo')
console.log(JSON.stringify(c.manifest).slice(0,300))
try {
const b = await r.buildRelease({ dir: c.dir, manifest: c.manifest, version: '1.0.0' })
console.log(b.layoutDir, b.artifacts, b.provenance)
const key = r.createSigningKey('vendor'); const root = r.createRootKey()
console.log(key, JSON.stringify(key))
const ks = await r.signKeyset({project:'demo',version:1,expiresAt:new Date(Date.now()+1e9).toISOString(),keys:[r.keysetEntry('vendor',key)]}, root)
const st = r.createStatement({...b, version:'1.0.0',channel:'stable',sequence:1,now:Date.now()})
const env = await r.signRelease(st,key)
const v = r.createVerifier({envelopes: async()=>env, keyset: async()=>ks, root: async()=>root, clock: Date})
console.log((await v.load(r.releaseDigest(env),['vendor'],{id:'d',project:'demo'})).version)
console.log(r.compareReleases(null, st))
} catch (e) { console.log(e) }
