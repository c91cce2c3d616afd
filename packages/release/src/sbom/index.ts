export { createSbom, type SbomOptions } from './create-sbom.ts'
export type { NpmPackage } from './npm-packages.ts'
