/** Line icons on a grid of 20, drawn here so that none is fetched. */
const PATHS = {
  inbox: 'M3.500 11.500 5.500 4h9l2 7.500v4a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1zM3.500 11.500H7.500a2.500 2.500 0 0 0 5 0h4',
  request: 'M5 3.500h7l3 3v10H5zM12 3.500v3h3M7.500 10.500h5M7.500 13.500h5',
  add: 'M10 4v12M4 10h12',
  audit: 'M4 4.500h9M4 8.500h5M4 12.500h4M12.500 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM14.700 14.200l2.300 2.300',
  verify: 'M10 3l6 2.200v4.300c0 3.700-2.500 6.300-6 7.500-3.500-1.200-6-3.800-6-7.500V5.200zM7.400 10l1.900 1.900 3.400-3.700',
  me: 'M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.500c.6-3 3-4.500 6-4.500s5.400 1.500 6 4.500',
  administration: 'M4 6h7M15 6h1M4 14h1M9 14h7M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  search: 'M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11zM13 13l3.500 3.500',
  out: 'M8 4H4.500v12H8M12 6.500 15.500 10 12 13.500M15.500 10H8',
  back: 'M12 4.500 6.500 10l5.500 5.500',
  settings: 'M3.500 6.500h13M3.500 13.500h13M7 4.500v4M13 11.500v4',
  check: 'M4.500 10.500 8.500 14.500 15.500 6',
  cross: 'M5.500 5.500l9 9M14.500 5.500l-9 9',
  warning: 'M10 3.500 17.500 16.500h-15zM10 8.500v4M10 14.400v.2',
  clock: 'M10 16.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM10 6.500V10l2.500 1.500',
  key: 'M7 12.500a3.500 3.500 0 1 1 3.300-4.700H17v2.700h-2v2.500h-2.500v-2.500h-2.200A3.500 3.500 0 0 1 7 12.500z',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration beside a text, never instead of one. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
