/** A duration as people write it: `500ms`, `90s`, `3m`, `2h`, `7d`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`
