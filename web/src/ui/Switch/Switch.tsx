// On or off at once, without a "save": settings, live.

import css from './Switch.module.css';

export type SwitchProps = {
  label: string;
  isSelected: boolean;
  isDisabled?: boolean | undefined;
  onChange: (isSelected: boolean) => void;
};

export function Switch({ label, isSelected, isDisabled, onChange }: SwitchProps) {
  return (
    <label className={css['switch']}>
      <input
        type="checkbox"
        // biome-ignore lint/a11y/useAriaPropsForRole: a check box says `checked` itself
        role="switch"
        className={css['input']}
        checked={isSelected}
        disabled={isDisabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span aria-hidden className={css['track']} />
      {label}
    </label>
  );
}
