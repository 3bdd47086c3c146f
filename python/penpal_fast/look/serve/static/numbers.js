/* Whole numbers with groups of three digits. */
export const whole = new Intl.NumberFormat("en");
