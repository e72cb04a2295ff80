import { afterAll } from 'vitest'
import { closePools } from './service/app-pool.js'

/** Vitest runs this for each file anew, whether or not the files of a worker share their modules. */
afterAll(closePools)
