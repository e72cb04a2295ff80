/** How much of a reported error is kept, in UTF-8 bytes, including the note about what was cut. */
export const MAX_ERROR_BYTES = 8192
export const MAX_PAST_ERROR_BYTES = 1024

/** Enough for any note: of a text that is cut to no more than this, nothing but the note stays. */
export const NOTE_BYTES = 64

const NOTE = /^\[(\d{1,15}) bytes cut\]\n/

/**
 * The last `limit` bytes of an error text, since the end of a traceback names the cause, after a note of how much was cut, also
 * before. The result has at most `limit` bytes, so that to cut it again changes nothing.
 */
export function keepTail(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= limit) return text
  const start = nextCharacter(bytes, bytes.length - (limit - NOTE_BYTES))
  const [note = '', cutBefore = 0] = NOTE.exec(text) ?? []
  return `[${Number(cutBefore) + start - note.length} bytes cut]\n${bytes.toString('utf8', start)}`
}

/** Whether the kept text is what is left of this one, whenever and however much of it was cut; this one may have been cut before. */
export function isLeftOf(text: string, kept: string): boolean {
  const [note, cut] = NOTE.exec(kept) ?? []
  if (note === undefined) return kept === text
  const tail = kept.slice(note.length)
  const [noteBefore = '', cutBefore = 0] = NOTE.exec(text) ?? []
  const length = Number(cutBefore) + Buffer.byteLength(text) - noteBefore.length
  return text.endsWith(tail) && length - Buffer.byteLength(tail) === Number(cut)
}

/** The first index at or after `index` at which a UTF-8 character begins. */
function nextCharacter(bytes: Buffer, index: number): number {
  let at = index
  while (at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1
  return at
}
