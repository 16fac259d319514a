// The sign of a control that opens downwards.
export function Chevron() {
  return (
    <svg className="chevron" viewBox="0 0 12 8" aria-hidden="true">
      <path d="M1 1.5 6 6.5l5-5" />
    </svg>
  );
}
