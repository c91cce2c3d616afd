export { type BundleAttachment, type BundleRelease, type BundleStatement, bundleSchemaId } from './bundle-statement.ts'
export type { BundleContents } from './check-contents.ts'
export type { TrustOptions } from './check-trust.ts'
export { type CommandStatement, commandPayloadType, type NonceStore, signCommand, verifyCommand } from './command.ts'
export { type CreateBundleOptions, type CreatedBundle, createBundle, type ReleaseSource } from './create-bundle.ts'
export { type CreateExportOptions, createExport, type ExportContent } from './export/create-export.ts'
export { type ExportKind, type ExportManifest, exportKinds } from './export/export-manifest.ts'
export { inspectExport } from './export/inspect-export.ts'
export { readEnrolment } from './export/read-enrolment.ts'
export {
  type ExportFile,
  readExport,
  type VerifiedExport,
  type VerifyExportOptions,
  verifyExport,
} from './export/verify-export.ts'
export { extractAttachment } from './extract-attachment.ts'
export { type ImportOptions, type ImportProgress, type ImportResult, importBundle } from './import-bundle.ts'
export { type InspectedBundle, inspectBundle } from './inspect-bundle.ts'
export { type BundleLimits, defaultLimits } from './limits.ts'
export { artifactTypes, bundleTypes } from './media-types.ts'
export { createReceipt, type Receipt, verifyReceipt } from './receipt.ts'
export { requireSignedBy } from './signed-document.ts'
export { joinBundle, splitBundle } from './split-bundle.ts'
export { BundleStore } from './store/bundle-store.ts'
export type { Pruned } from './store/prune.ts'
export type { ImportRecord } from './store/record.ts'
export { type VerifiedBundle, verifyBundle } from './verify-bundle.ts'
