import { TOKEN, type Expected, type Scene } from './scene.js'

interface List {
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  /** How many a page has; undefined: all fit in one. */
  readonly limit: number | undefined
}

/** The body of the page at hand out of all that match. */
type Page = (key: string, all: readonly unknown[]) => object

/** Reads a list page by page, by the tokens that it gives out, to its end. */
export async function inPages(scene: Scene, list: List, expect: (page: Page) => Expected): Promise<void> {
  let from = 0
  let token: string | null = null
  do {
    const sent = new URLSearchParams([...list.query.map(([key, value]): [string, string] => [key, value])])
    if (list.limit !== undefined) sent.set('limit', String(list.limit))
    if (token !== null) sent.set('page_token', token)
    const expected = expect(pageFrom(from, list.limit ?? Infinity))
    const reply = await scene.ask({ method: 'GET', path: `${list.path}?${sent.toString()}` }, expected)
    token = (JSON.parse(reply.text) as { readonly next_page_token?: string | null }).next_page_token ?? null
    from += list.limit ?? 0
  } while (token !== null)
}

function pageFrom(from: number, limit: number): Page {
  return (key, all) => {
    const isLast = all.length <= from + limit
    return { [key]: all.slice(from, from + limit), next_page_token: isLast ? null : TOKEN }
  }
}
