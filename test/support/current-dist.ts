import { fileURLToPath } from 'node:url'
import { requireCurrentDist } from '../../.config/build/source-hash.js'

/**
 * The tests, the faults and the benchmark run the compiled product: none of them may pass on what src was before.
 *
 * @throws Error when dist was not built from src as it is now
 */
export function checkDist(): void {
  requireCurrentDist(fileURLToPath(new URL('../..', import.meta.url)))
}

/** What Vitest calls once before all tests. */
export default checkDist
