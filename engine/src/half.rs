//! Floating point numbers of 16 bits, as files hold them.

/// The number that 16 bits stand for.
#[must_use]
pub fn from_half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1f), u32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => return f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        31 => 0xff << 23 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// The 16 bits nearest to a number; of two that are equally near, those that end in zero.
#[must_use]
pub fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude > 0x7f80_0000 {
        return sign | 0x7e00;
    }
    if magnitude >= 0x4780_0000 {
        return sign | 0x7c00; // 65,536 and more
    }
    if magnitude < 0x3880_0000 {
        // Below 2⁻¹⁴ the steps are 2⁻²⁴ apart; adding a half lets the addition itself round to such a step.
        let rounded = (f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits();
        return sign | rounded as u16;
    }
    let even = magnitude >> 13 & 1;
    let rounded = (magnitude + 0xfff + even) >> 13;
    sign | (rounded - (112 << 10)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_way_there_and_back() {
        for bits in 0..=u16::MAX {
            let value = from_half(bits);
            if value.is_nan() {
                assert!(from_half(to_half(value)).is_nan());
            } else {
                assert_eq!(to_half(value), bits, "{value}");
            }
        }
    }

    #[test]
    fn known_values_are_as_the_standard_says() {
        for (value, bits) in
            [(1.0, 0x3c00), (-2.0, 0xc000), (65_504.0, 0x7bff), (65_520.0, 0x7c00), (5.960_464_5e-8, 1)]
        {
            assert_eq!(to_half(value), bits);
        }
        assert_eq!(to_half(1.0 + 1.0 / 2_048.0), 0x3c00, "a tie goes to the even one");
        assert_eq!(to_half(1.0 + 3.0 / 2_048.0), 0x3c02);
        assert_eq!(to_half(2.0_f32.powi(-25)), 0);
        assert_eq!(to_half(f32::INFINITY), 0x7c00);
    }
}
