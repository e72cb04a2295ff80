import { isUtf8 } from 'node:buffer'
import { type StringOptions, Type } from '@sinclair/typebox'

/** Node reads a header as Latin-1, a character for each byte. */
const ASCII = /^[\x20-\x7e\t]*$/

/** Formats of headers, for AJV: bytes that are not UTF-8 are no text, in a header as in a body. */
export const HEADER_FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  'utf-8-header': (value) => ASCII.test(value) || isUtf8(Buffer.from(value, 'latin1')),
}

/** A header that a route reads. */
export function Header(options: StringOptions) {
  return Type.String({ format: 'utf-8-header', ...options })
}
