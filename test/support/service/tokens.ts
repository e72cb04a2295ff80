import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Role, ROLES } from '#campaignd/auth/role.js'
import { createToken, Tokens } from '#campaignd/auth/tokens.js'
import { send } from '../http/client.js'
import { temporaryDirectory } from '../temporary-directory.js'
import type { Service } from './service-process.js'

export interface TestTokens {
  readonly tokens: Tokens
  readonly lines: string
  /** The header that presents the token of a role. */
  as(role: Role): { readonly authorization: string }
  /** The token itself. */
  tokenOf(role: Role): string
}

/** One token of each role, with its role as its name. */
export function testTokens(): TestTokens {
  const made = ROLES.map((role) => ({ role, ...createToken(`a-${role}`, role) }))
  const lines = made.map(({ line }) => line).join('\n')
  const tokenOf = (role: Role) => made.find((one) => one.role === role)?.token ?? ''
  return { tokens: Tokens.parse(lines), lines, tokenOf, as: (role) => ({ authorization: `Bearer ${tokenOf(role)}` }) }
}

/** Writes a tokens file that only its owner may read. */
export function writeTokens(path: string, lines: string, mode = 0o600): void {
  writeFileSync(path, `${lines}\n`)
  chmodSync(path, mode)
}

/** A tokens file of these lines, in a directory of its own; returns its path. */
export function tokensFile(lines: string, mode?: number): string {
  const path = join(temporaryDirectory(), 'tokens')
  writeTokens(path, lines, mode)
  return path
}

/** The status of a read with the token. */
export async function statusAs({ url }: Service, token: string): Promise<number> {
  return (await send('GET', `${url}/v1/campaigns`, undefined, { authorization: `Bearer ${token}` })).status
}
