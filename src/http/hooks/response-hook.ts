import type { FastifyReply, FastifyRequest } from 'fastify'

/** Runs on every response just before it is sent: its status is final, its headers are not. */
export type ResponseHook = (request: FastifyRequest, reply: FastifyReply) => void
