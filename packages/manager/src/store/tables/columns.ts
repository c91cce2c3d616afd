import type { ColumnType } from 'kysely'

/** A jsonb column: read parsed, written as `JSON.stringify(value)` (pg would write an array as a PostgreSQL array). */
export type Json<T> = ColumnType<T, string, string>
export type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>
/** Computed by PostgreSQL. */
export type Computed<T> = ColumnType<T, never, never>
/** Has a default. */
export type Default<T> = ColumnType<T, T | undefined, T>
export type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>
/** A jsonb column with a default. */
export type DefaultJson<T> = ColumnType<T, string | undefined, string>
