import helmet from '@fastify/helmet'
import fastifyPlugin from 'fastify-plugin'

export interface HtmlHeadersOptions {
  /** The pages have inline styles. */
  readonly allowInlineStyles: boolean
}

/**
 * For a scope that serves pages: scripts and data come from this origin only, and no site can frame them. Only for pages, since
 * the headers would halve the rate of the API.
 */
export const htmlHeaders = fastifyPlugin<HtmlHeadersOptions>(
  async (app, { allowInlineStyles }) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'script-src': ["'self'"],
          'style-src': allowInlineStyles ? ["'self'", "'unsafe-inline'"] : ["'self'"],
          'img-src': ["'self'", 'data:'],
          'font-src': ["'self'"],
          'connect-src': ["'self'"],
          'base-uri': ["'none'"],
          'form-action': ["'none'"],
          'frame-ancestors': ["'none'"],
        },
      },
      xFrameOptions: { action: 'deny' },
      // The proxy ends TLS, so this header is the proxy's too.
      strictTransportSecurity: false,
    })
  },
  { name: 'html-headers', fastify: '5.x' },
)
