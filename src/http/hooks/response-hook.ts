import type { FastifyReply, FastifyRequest } from 'fastify'

/** Something that an answer gets when it is all but sent: its status is settled. */
export type ResponseHook = (request: FastifyRequest, reply: FastifyReply) => void
