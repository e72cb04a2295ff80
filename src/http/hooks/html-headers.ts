import helmet from '@fastify/helmet'
import fastifyPlugin from 'fastify-plugin'

export interface HtmlHeadersOptions {
  /** What the pages draw they style in place, not by a style sheet alone. */
  readonly stylesInPlace: boolean
}

/**
 * For a scope that serves pages: they take scripts and data from here only, and nobody frames them. Only for pages, since
 * the dozen headers cost an answer of the API half of its speed.
 */
export const htmlHeaders = fastifyPlugin<HtmlHeadersOptions>(
  async (app, { stylesInPlace }) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'script-src': ["'self'"],
          'style-src': stylesInPlace ? ["'self'", "'unsafe-inline'"] : ["'self'"],
          'img-src': ["'self'", 'data:'],
          'font-src': ["'self'"],
          'connect-src': ["'self'"],
          'base-uri': ["'none'"],
          'form-action': ["'none'"],
          'frame-ancestors': ["'none'"],
        },
      },
      xFrameOptions: { action: 'deny' },
      // TLS is the proxy's, and so is what a browser should remember about it.
      strictTransportSecurity: false,
    })
  },
  { name: 'html-headers', fastify: '5.x' },
)
