/** A password that is typed, with its label. */
import type { Signal } from '@preact/signals';
import type { Ref } from 'preact';
import { useId } from 'preact/hooks';

export interface PasswordFieldProps {
  readonly label: string;
  readonly value: Signal<string>;
  readonly autocomplete: 'current-password' | 'new-password';
  /** Of what is said about it. */
  readonly describedBy?: string | undefined;
  readonly isInvalid?: boolean;
  readonly inputRef?: Ref<HTMLInputElement>;
}

export function PasswordField({
  label,
  value,
  autocomplete,
  describedBy,
  isInvalid = false,
  inputRef = null,
}: PasswordFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        ref={inputRef}
        type="password"
        autocomplete={autocomplete}
        required
        aria-invalid={isInvalid}
        aria-describedby={describedBy}
        value={value}
        onInput={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      />
    </div>
  );
}
