/** The first argument with which the program is the daemon of an environment. */
export const hostArgument = '--environment-daemon'
