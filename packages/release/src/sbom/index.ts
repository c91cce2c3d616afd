export { createSbom, type SbomOptions } from './create-sbom.ts'
export { type NpmPackage, workerPackages } from './npm-packages.ts'
export { releaseSbom } from './release-sbom.ts'
