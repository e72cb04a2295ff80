type Container = unknown[] | Record<string, unknown>

/** An array or object that is open, with all that comes before `from` parsed. */
export interface Frame {
  /** The text itself has none. */
  readonly kind: 'array' | 'object' | 'text'
  readonly value: Container
  /** In the object around it. */
  readonly key: string
  from: number
  /** What comes before `from`: nothing, a comma, or an item. */
  before: 'nothing' | 'comma' | 'item'
  /** Position of its last comma; -1: it has none after `from`. */
  comma: number
}

export function frameOf(kind: Frame['kind'], key: string, from: number): Frame {
  return { kind, value: kind === 'object' ? {} : [], key, from, before: 'nothing', comma: -1 }
}

/** Adds an array or object that is whole now to the one around it. */
export function put({ value }: Frame, child: Frame): void {
  if (Array.isArray(value)) value.push(child.value)
  else define(value, child.key, child.value)
}

/** As `JSON.parse` does it: `__proto__` is a key like any other. */
export function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
