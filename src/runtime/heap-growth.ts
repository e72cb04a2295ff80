import { setFlagsFromString } from 'node:v8'

/** By how much of what is alive the heap grows before V8 collects all garbage of it, in percent. */
const GROWTH = 200

/**
 * Has V8 collect all garbage less often. By itself it lets a small heap grow by some megabytes, which the bytes of bodies and
 * connections count towards: under attack it then collects twice a second. Near its limit a heap grows by less in any case.
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
}
