/**
 * Whether a header Accept prefers a type to the other one, which it gets otherwise: gives it more weight, or as much and names it,
 * where the other one is only meant by an asterisk.
 */
export function prefers(accept: string | undefined, type: string, other: string): boolean {
  if (accept === undefined) return false
  const weights = new Map(accept.toLowerCase().split(',').map(readRange))
  const [wanted, otherwise] = [weightOf(weights, type), weightOf(weights, other)]
  if (wanted !== otherwise) return wanted > otherwise
  return wanted > 0 && weights.has(type) && !weights.has(other)
}

function weightOf(weights: ReadonlyMap<string, number>, type: string): number {
  return weights.get(type) ?? weights.get(type.replace(/\/.*/, '/*')) ?? weights.get('*/*') ?? 0
}

function readRange(text: string): [type: string, weight: number] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const weight = parameters.find((one) => one.startsWith('q='))?.slice(2)
  return [type, weight === undefined ? 1 : Number(weight)]
}
