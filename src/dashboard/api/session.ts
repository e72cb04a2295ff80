import { signal } from '@preact/signals'

const KEY = 'campaignd.token'

/** The token of this tab, kept in its session storage. */
export const token = signal<string | null>(sessionStorage.getItem(KEY))

/** Why a token is asked for; null while none is needed. */
export const tokenWanted = signal<string | null>(null)

export function enterToken(text: string): void {
  sessionStorage.setItem(KEY, text)
  token.value = text
  tokenWanted.value = null
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY)
  token.value = null
}

/** The authorization header, if there is a token. */
export function authorization(): Record<string, string> {
  return token.value === null ? {} : { authorization: `Bearer ${token.value}` }
}
