/**
 * What is wrong with a text of a format; null when nothing is. A schema names it as `format`; whoever compiles schemas gives the
 * validator `TEXT_FORMATS`.
 */
const FAULTS = {
  'well-formed': faultOfWellFormed,
  'exp-id': faultOfExpId,
  printable: faultOfPrintable,
} as const satisfies Readonly<Record<string, (text: string) => string | null>>

export type TextFormat = keyof typeof FAULTS

/** For AJV. */
export const TEXT_FORMATS: Readonly<Record<string, (text: string) => boolean>> = Object.fromEntries(
  Object.entries(FAULTS).map(([name, faultOf]) => [name, (text: string) => faultOf(text) === null]),
)

/** What is wrong with a text; null when nothing is, or when the format is none of these. */
export function faultOfText(format: unknown, text: unknown): string | null {
  const isKnown = typeof format === 'string' && Object.hasOwn(FAULTS, format)
  return isKnown && typeof text === 'string' ? FAULTS[format as TextFormat](text) : null
}

/** Two texts that differ only in half a surrogate pair would be the same in UTF-8: two workers would become one. */
function faultOfWellFormed(text: string): string | null {
  return text.isWellFormed() ? null : 'must not have half of a surrogate pair, which is no character'
}

/** What nobody sees, other than a blank. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

function faultOfPrintable(text: string): string | null {
  const unseen = UNSEEN.exec(text)?.[0]
  return unseen === undefined ? null : `must not contain ${nameOf(unseen)}`
}

/** Most ids: nothing in them can be at fault. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9._:@+=-]*$/
/** A separator of paths, or what nobody sees. */
const FORBIDDEN = /[/\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const BLANK_AT_AN_END = /^\s|\s$/u

function faultOfExpId(id: string): string | null {
  if (PLAIN.test(id)) return null
  if (id === '.' || id === '..') return `must not be ${id}, which leads elsewhere in a path`
  const forbidden = FORBIDDEN.exec(id)?.[0]
  if (forbidden !== undefined) return `must not contain ${nameOf(forbidden)}`
  const blank = BLANK_AT_AN_END.exec(id)?.[0]
  return blank === undefined ? null : `must not begin or end with ${nameOf(blank)}`
}

/** Such as `U+200B`; with the character itself when it can be seen. */
function nameOf(character: string): string {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  return character === '/' || character === '\\' ? `${character} (${code})` : `the character ${code}`
}
