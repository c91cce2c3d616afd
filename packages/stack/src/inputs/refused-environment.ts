/** Variables that make a program load other code, or trust another machine, before its own code runs. */
const loadsCode = new Set([
  'BASH_ENV',
  'BASH_FUNC',
  'CLASSPATH',
  'DOTNET_ADDITIONAL_DEPS',
  'DOTNET_SHARED_STORE',
  'DOTNET_STARTUP_HOOKS',
  'ENV',
  'GCONV_PATH',
  'IFS',
  'JAVA_TOOL_OPTIONS',
  'JDK_JAVA_OPTIONS',
  '_JAVA_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_REPL_EXTERNAL_MODULE',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
  'PATH',
  'PERL5DB',
  'PERL5LIB',
  'PERL5OPT',
  'PERLLIB',
  'PROMPT_COMMAND',
  'PS4',
  'PYTHONHOME',
  'PYTHONINSPECT',
  'PYTHONPATH',
  'PYTHONSTARTUP',
  'PYTHONUSERBASE',
  'PYTHONWARNINGS',
  'RUBYLIB',
  'RUBYOPT',
  'SHELLOPTS',
  'SSL_CERT_DIR',
  'SSL_CERT_FILE',
])
const loadsCodePrefixes = ['LD_', 'DYLD_', 'CORECLR_', 'COR_', 'BASH_FUNC_']
/** What the platform gives to every worker: see the runtime's protocol. */
const platforms = new Set(['PORT', 'OTEL_RESOURCE_ATTRIBUTES'])
const platformPrefixes = ['LANDFALL_', 'OTEL_EXPORTER_']

/**
 * Why a variable of this name may not be set by a stack, an input or a deployment, as the end of a sentence; undefined
 * when it may. Names are compared as Windows and macOS may: without regard to case.
 */
export function refusedEnvironmentName(name: string): string | undefined {
  const upper = name.toUpperCase()
  if (loadsCode.has(upper) || loadsCodePrefixes.some((prefix) => upper.startsWith(prefix))) {
    return 'can make a program load code or trust another machine, so it is never set from outside of the code: remove it'
  }
  if (platforms.has(upper) || platformPrefixes.some((prefix) => upper.startsWith(prefix))) {
    return 'is set by the platform: choose another name'
  }
  return undefined
}
