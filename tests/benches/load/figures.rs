//! From many figures to one.

/// Of one figure of all runs.
pub fn median<T>(runs: &[T], value: impl Fn(&T) -> f64) -> f64 {
    let values: Vec<f64> = runs.iter().map(value).collect();
    percentile(&values, 50.0)
}

/// Nearest rank; not a number where there are no values.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// 0.5 → "50 %".
pub fn percent(part: f64, places: usize) -> String {
    match part.is_finite() {
        true => format!("{:.places$} %", part * 100.0),
        false => "–".to_owned(),
    }
}

/// 12345.6 → "12,346".
pub fn grouped(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
