/** Texts cut to a width with an ellipsis, cached: measuring is slow. */
const cache = new Map<string, string>()
const CACHE_SIZE = 5000

export function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font} ${Math.floor(width)} ${text}`
  const known = cache.get(key)
  if (known !== undefined) return known
  if (cache.size > CACHE_SIZE) cache.clear()
  const fitted = fit(context, text, width)
  cache.set(key, fitted)
  return fitted
}

/** Leaves out the middle: names of configs often differ at the end. */
function fit(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text
  let [low, high] = [1, text.length]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (context.measureText(withoutMiddle(text, middle)).width <= width) low = middle
    else high = middle - 1
  }
  return withoutMiddle(text, low)
}

function withoutMiddle(text: string, kept: number): string {
  const front = Math.ceil(kept / 2)
  return `${text.slice(0, front)}…${text.slice(text.length - (kept - front))}`
}
