/** What a caller may do; each role includes the roles before it. */
export const ROLES = ['read', 'work', 'admin'] as const

export type Role = (typeof ROLES)[number]

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

/** True when a caller with the role `held` may do what needs the role `needed`. */
export function covers(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed)
}
