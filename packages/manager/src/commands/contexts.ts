/** What sealed parts of a command are bound to: moved to another row they do not open. */
export const inputContext = (deployment: string, id: string) => `command-input:${deployment}:${id}`
export const resultContext = (deployment: string, id: string) => `command-result:${deployment}:${id}`
export const outputContext = (deployment: string, id: string, number: number) =>
  `command-output:${deployment}:${id}:${number}`
