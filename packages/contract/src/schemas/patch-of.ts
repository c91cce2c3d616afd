import { z } from 'zod'

type WithoutDefault<T> = T extends z.ZodDefault<infer Inner> ? Inner : T

/**
 * The schema of a change to what another schema describes: every field may be left out, and what is left out stays as it is. Not
 * `partial()`: that fills defaults in for what is left out, so that changing one field would set all others back.
 */
export function patchOf<Shape extends Record<string, z.ZodType>>(schema: z.ZodObject<Shape>) {
  const fields = Object.entries(schema.shape).map(([name, field]) => [
    name,
    (field instanceof z.ZodDefault ? (field.unwrap() as z.ZodType) : field).optional(),
  ])
  return z.strictObject(
    Object.fromEntries(fields) as { [Name in keyof Shape]: z.ZodOptional<WithoutDefault<Shape[Name]>> },
  )
}
