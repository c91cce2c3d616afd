// Before the first paint, so that a chosen theme does not flash; a file, because inline scripts are refused by our own policy.
try {
  const theme = localStorage.getItem('landfall.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage may be forbidden; then the system's choice stands.
}
