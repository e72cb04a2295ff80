/** What a caller may do; each role may do all that those before it may. */
export const ROLES = ['read', 'work', 'admin'] as const

export type Role = (typeof ROLES)[number]

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

/** True when who holds the one role may do what the other one is needed for. */
export function covers(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed)
}
