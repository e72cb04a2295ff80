/** The route is in the fragment of the URL: a link can be shared, and the service does not see it. */

import { computed, signal } from '@preact/signals'

export const VIEWS = ['failures', 'grid', 'timeline', 'workers'] as const
export type View = (typeof VIEWS)[number]

export type Route =
  | { readonly page: 'campaigns'; readonly query: Query }
  /** No view: the failures where there are any, else the grid. */
  | { readonly page: 'campaign'; readonly campaignId: string; readonly view: View | null; readonly query: Query }

export type Query = Readonly<Record<string, string>>

const fragment = signal(location.hash)
addEventListener('hashchange', () => {
  fragment.value = location.hash
})

export const route = computed(() => parseRoute(fragment.value))

function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split(/\?(.*)/s)
  const query = Object.fromEntries(new URLSearchParams(search))
  const [kind, id = '', view = ''] = path.split('/').filter((part) => part !== '')
  if (kind !== 'campaigns' || id === '') return { page: 'campaigns', query }
  return {
    page: 'campaign',
    campaignId: decodeURIComponent(id),
    view: VIEWS.find((one) => one === view) ?? null,
    query,
  }
}

/** The fragment of a route. */
export function linkTo(target: Route): string {
  const path =
    target.page === 'campaigns'
      ? '/'
      : `/campaigns/${encodeURIComponent(target.campaignId)}${target.view === null ? '' : `/${target.view}`}`
  const search = new URLSearchParams(Object.entries(target.query).filter(([, value]) => value !== '')).toString()
  return `#${path}${search === '' ? '' : `?${search}`}`
}

/** Navigates; `replace` adds no history entry, as for each letter of a filter. */
export function go(target: Route, how: 'push' | 'replace' = 'push'): void {
  const link = linkTo(target)
  if (link === location.hash) return
  if (how === 'push') history.pushState(null, '', link)
  else history.replaceState(null, '', link)
  fragment.value = link
}

/** A list in the query, as `failed,lost`. */
export function listOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(',')
}
