import type { onRequestHookHandler, RouteOptions } from 'fastify'

/** Has the hook run on the requests of the route, after those of the service and those that it has already. */
export function addRouteHook(route: RouteOptions, hook: onRequestHookHandler): void {
  route.onRequest = [...[route.onRequest ?? []].flat(), hook]
}
