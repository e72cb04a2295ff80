/** What a caller may do; each role includes the roles before it. */
export const ROLES = ['read', 'work', 'admin'] as const

export type Role = (typeof ROLES)[number]

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

/** Whether a caller with one role may do what needs the other. */
export function covers(given: Role, needed: Role): boolean {
  return ROLES.indexOf(given) >= ROLES.indexOf(needed)
}
