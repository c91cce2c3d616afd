/** Where a code is explained: the address that the API's problem documents carry too. */
export const docsOf = (code: string) => `https://landfall.dev/${code.startsWith('E_') ? 'errors' : 'reasons'}/${code}`
