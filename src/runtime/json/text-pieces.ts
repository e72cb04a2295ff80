/** Bytes of a piece. */
const PIECE = 256 * 1024

const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** The bytes of a text, in pieces of whole characters. */
export function* textPieces(bytes: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length;) {
    let end = Math.min(bytes.length, at + PIECE)
    // A character has three more bytes at most.
    for (let more = 0; more < 3 && isWithinCharacter(bytes[end]); more += 1) end += 1
    yield bytes.subarray(at, end)
    at = end
  }
}

/** Whether it is a byte of UTF-8 within a character. */
export function isWithinCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

export function withoutByteOrderMark(bytes: Buffer): Buffer {
  const hasMark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
  return hasMark ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes
}
