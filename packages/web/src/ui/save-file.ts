/** Saves a text as a file of the browser's own: nothing is sent anywhere. */
export function saveFile(name: string, text: string, type = 'application/json'): void {
  const address = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The download has begun from the address by then; milliseconds.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
