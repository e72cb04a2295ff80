import { join } from 'node:path'
import { send } from '../http/client.js'
import { temporaryDirectory } from '../temporary-directory.js'
import type { Service } from './service.js'
import { writeTokens } from './tokens.js'

/** A tokens file of these lines; returns its path. */
export function tokensFile(lines: string, mode = 0o600): string {
  const path = join(temporaryDirectory(), 'tokens')
  writeTokens(path, lines, mode)
  return path
}

/** What the log says. */
export function messages({ log }: Service): string[] {
  return log.map(({ msg }) => String(msg))
}

/** How a read with the token is answered. */
export async function statusAs({ url }: Service, token: string): Promise<number> {
  return (await send('GET', `${url}/v1/campaigns`, undefined, { authorization: `Bearer ${token}` })).status
}
