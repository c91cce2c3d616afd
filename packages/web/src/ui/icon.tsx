/** Sixteen-pixel line drawings; decoration beside a word, so hidden from screen readers. */
const paths = {
  fleet: 'M2.5 3.500h4v4h-4zM9.5 3.500h4v4h-4zM2.5 10h4v3h-4zM9.5 10h4v3h-4z',
  rollout: 'M2 12.500h3v-3h3.500v-3H12v-3h2',
  release: 'm8 1.8 5.5 3v6.400L8 14.200l-5.5-3V4.800zM2.7 4.9 8 7.800l5.3-2.900M8 7.800v6.2',
  audit: 'M4 2.500h8v11H4zM6.2 5.500h3.600M6.2 8h3.600M6.2 10.500h2',
  settings: 'M2 5h6.500M12 5h2M2 11h2M7.5 11H14M10.2 3.200v3.600M5.7 9.200v3.6',
  check: 'm3.5 8.5 3 3 6-7',
  circleCheck: 'M8 14.200A6.2 6.2 0 1 0 8 1.800a6.2 6.2 0 0 0 0 12.400ZM5.3 8.200l1.9 1.9 3.5-3.9',
  warning: 'M8 2.2 14.2 13H1.800zM8 6.300v3.200M8 11.300v.1',
  failed: 'M8 14.200A6.2 6.2 0 1 0 8 1.800a6.2 6.2 0 0 0 0 12.400ZM5.9 5.900l4.2 4.200M10.1 5.900l-4.2 4.2',
  clock: 'M8 14.200A6.2 6.2 0 1 0 8 1.800a6.2 6.2 0 0 0 0 12.400ZM8 4.600V8l2.2 1.6',
  unknown:
    'M8 14.200A6.2 6.2 0 1 0 8 1.800a6.2 6.2 0 0 0 0 12.400ZM6.3 6.400a1.8 1.8 0 1 1 2.5 1.700c-.5.2-.8.6-.8 1.100M8 11.200v.1',
  moving: 'M8 1.800A6.2 6.2 0 0 1 14.2 8M8 14.200A6.2 6.2 0 0 1 1.8 8M5 8h6M8.7 5.7 11 8l-2.3 2.3',
  back: 'M6 4 2.5 7.5 6 11M2.8 7.500h6.700a3.7 3.7 0 0 1 0 6H7',
  pause: 'M5.5 3.500v9M10.5 3.500v9',
  play: 'M5 3.200v9.600L12.5 8z',
  forward: 'M3 3.500v9L9 8zM12.5 3.500v9',
  stop: 'M4 4h8v8H4z',
  copy: 'M5.5 5.500h7v8h-7zM3.5 10.500v-8h7',
  search: 'M7 11.800a4.8 4.8 0 1 0 0-9.6 4.8 4.8 0 0 0 0 9.600ZM10.5 10.500l3.3 3.3',
  down: 'm4 6 4 4 4-4',
  right: 'm6 4 4 4-4 4',
  close: 'm4 4 8 8M12 4l-8 8',
  sun: 'M8 10.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600ZM8 1.500v1.300M8 13.200v1.300M1.5 8h1.300M13.2 8h1.300M3.4 3.400l.9.9M11.7 11.700l.9.9M12.6 3.400l-.9.9M4.3 11.700l-.9.9',
  moon: 'M13.2 9.600A5.6 5.6 0 0 1 6.4 2.800a5.6 5.6 0 1 0 6.8 6.800Z',
  screen: 'M2 3h12v8H2zM6 13.500h4M8 11v2.5',
  person: 'M8 8a2.7 2.7 0 1 0 0-5.400A2.7 2.7 0 0 0 8 8ZM3 13.600c.6-2.5 2.5-3.8 5-3.800s4.4 1.3 5 3.8',
  terminal: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10h3',
  key: 'M5.2 12.800a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.400ZM7.2 8.2 13 2.500M10.5 5l2 2',
  lock: 'M3.5 7.200h9v6.300h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  freeze: 'M8 1.800v12.400M2.6 4.900l10.8 6.200M13.4 4.9 2.6 11.100M6 3l2 1.600L10 3M6 13l2-1.6 2 1.6',
  dots: 'M3.5 8h.1M8 8h.1M12.5 8h.1',
  external: 'M6.5 3.500h-3v9h9v-3M9 3h4v4M13 3 7.5 8.5',
  cube: 'M3 4.500h10v7H3zM3 7h10',
  signal: 'M2 13h12M4 13V9M8 13V5M12 13V2.5',
  plus: 'M8 3v10M3 8h10',
  push: 'M2.500 3v10M5 8h8.500M10.5 5l3 3-3 3',
  pull: 'M13.500 3v10M2.5 8H11M5.500 5l-3 3 3 3',
  airgap: 'M3 5h4.200v6H3zM10 3v1.800M10 7.100v1.800M10 11.200V13M12.5 6.500 14 8l-1.5 1.5',
  download: 'M8 2.500v7.500M4.800 7 8 10.200 11.200 7M3 13.500h10',
  upload: 'M8 10.500V3M4.800 6 8 2.800 11.200 6M3 13.500h10',
  edit: 'M3 13l.6-2.800 7.300-7.300 2.200 2.200-7.300 7.300zM9.600 4.200l2.200 2.200',
  calendar: 'M2.500 3.800h11v9.700h-11zM2.5 6.800h11M5.500 2v3M10.500 2v3',
  shield: 'M8 1.800 13 3.600v4c0 3-2 5.300-5 6.600-3-1.300-5-3.600-5-6.600v-4z',
  leave: 'M9.500 2.500h-6v11h6M7 8h7M11.500 5.500 14 8l-2.500 2.5',
  pin: 'M8 9.500v4.700M4.5 9.500h7l-1.3-2.300V3H5.800v4.200z',
} as const
export type IconName = keyof typeof paths

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'dots' ? 2.4 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  )
}

/** A boat's bow meeting the shore. */
export function Mark() {
  return (
    <svg aria-hidden="true" width="22" height="22" viewBox="0 0 22 22">
      <rect width="22" height="22" rx="5.5" fill="currentColor" />
      <path
        d="M4 15.300c2.3-1.9 4.7-1.9 7 0s4.7 1.9 7 0M11 4.500v6.700m-3-2.8 3 3 3-3"
        fill="none"
        stroke="var(--sunken)"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
