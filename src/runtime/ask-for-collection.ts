/**
 * More than V8 lets memory outside of its heap grow by before it begins to collect garbage, in steps between other work; at twice
 * as much it would stop for a whole collection.
 */
const BYTES = 96 * 1024 * 1024

/**
 * Has V8 look for garbage soon. By itself it does when that much was allocated again, which in a service with little to do can
 * take minutes. The memory is never touched, so that the system never gives it.
 * @returns the bytes of that memory
 */
export function askForCollection(): number {
  return new ArrayBuffer(BYTES).byteLength
}
