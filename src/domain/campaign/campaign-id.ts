/** The start of a generated id: lower case letters, digits and dashes; 54 characters leave room for the suffix. */
export function slug(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mn}/gu, '')
  const dashed = plain.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const trimmed = dashed.slice(0, 54).replace(/^-+|-+$/g, '')
  return trimmed === '' ? 'campaign' : trimmed
}
