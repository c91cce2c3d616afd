import { setFlagsFromString } from 'node:v8'
import { hostArgument } from './host-argument.ts'

/*
 * The first import of the program, so that it is before any other code. An agent waits nearly always: V8's last tier would take memory for
 * its own code and what it makes, to speed up what hardly runs. The daemon of an environment carries requests, and keeps it.
 */
if (process.argv[2] !== hostArgument) setFlagsFromString('--no-opt')
