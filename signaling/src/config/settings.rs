//! Every setting that environment and flags can give, one row each.

use super::{Config, Overrides};
use crate::error::StartError;
use std::str::FromStr;

/// The prefix of all environment variables.
const PREFIX: &str = "NHIPCAU_";
/// Variables with the prefix that are no settings.
const NOT_SETTINGS: [&str; 2] = ["NHIPCAU_CONFIG", "NHIPCAU_LOG"];

/// One setting: its place in the file, what it is for, and how text gets into it. `apply` returns what is wrong, as the
/// end of a sentence.
pub struct Setting {
    pub key: &'static str,
    pub help: &'static str,
    pub apply: fn(&mut Config, &str) -> Result<(), String>,
}

pub const SETTINGS: &[Setting] = &[
    Setting { key: "http", help: "Địa chỉ và cổng HTTP", apply: |c, v| one(&mut c.http, v) },
    Setting { key: "https", help: "Địa chỉ và cổng HTTPS", apply: |c, v| one(&mut c.https, v) },
    Setting {
        key: "metrics", help: "Địa chỉ và cổng cho Prometheus", apply: |c, v| one(&mut c.metrics, v)
    },
    Setting { key: "data", help: "Thư mục dữ liệu", apply: |c, v| one(&mut c.data, v) },
    Setting {
        key: "names",
        help: "Tên hoặc địa chỉ công khai của máy chủ, cách nhau bằng dấu phẩy",
        apply: |c, v| many(&mut c.names, v),
    },
    Setting {
        key: "drain_seconds",
        help: "Số giây báo trước cho các điểm cầu khi dừng máy chủ",
        apply: |c, v| one(&mut c.drain_seconds, v),
    },
    Setting {
        key: "tls.certificate",
        help: "Tệp PEM chứng thư do đơn vị cấp; bỏ trống: máy chủ tự tạo",
        apply: |c, v| one(&mut c.tls.certificate, v),
    },
    Setting {
        key: "tls.key", help: "Tệp PEM khóa của chứng thư đó", apply: |c, v| one(&mut c.tls.key, v)
    },
    Setting {
        key: "media.port",
        help: "Cổng đầu tiên cho âm thanh, hình ảnh (UDP và TCP)",
        apply: |c, v| one(&mut c.media.port, v),
    },
    Setting {
        key: "media.listen",
        help: "Địa chỉ nhận âm thanh, hình ảnh, cách nhau bằng dấu phẩy",
        apply: |c, v| many(&mut c.media.listen, v),
    },
    Setting {
        key: "media.advertise",
        help: "Địa chỉ báo cho điểm cầu khi máy chủ ở sau NAT, cách nhau bằng dấu phẩy",
        apply: |c, v| many(&mut c.media.advertise, v),
    },
    Setting {
        key: "media.workers",
        help: "Số luồng xử lý âm thanh, hình ảnh; 0: theo số bộ xử lý",
        apply: |c, v| one(&mut c.media.workers, v),
    },
    Setting {
        key: "limits.sites_per_meeting",
        help: "Số điểm cầu tối đa trong một cuộc họp",
        apply: |c, v| one(&mut c.limits.sites_per_meeting, v),
    },
    Setting {
        key: "limits.failed_joins_per_address_per_minute",
        help: "Số lần vào họp bằng liên kết sai mỗi phút từ một địa chỉ",
        apply: |c, v| one(&mut c.limits.failed_joins_per_address_per_minute, v),
    },
    Setting {
        key: "limits.messages_per_second",
        help: "Số thông điệp mỗi giây của một kết nối",
        apply: |c, v| one(&mut c.limits.messages_per_second, v),
    },
    Setting {
        key: "limits.connections",
        help: "Số kết nối tối đa tới máy chủ",
        apply: |c, v| one(&mut c.limits.connections, v),
    },
    Setting {
        key: "limits.connections_per_address",
        help: "Số kết nối tối đa từ một địa chỉ, không kể điểm cầu đang họp",
        apply: |c, v| one(&mut c.limits.connections_per_address, v),
    },
];

pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.key == key)
}

/// `limits.connections` → `NHIPCAU_LIMITS_CONNECTIONS`.
pub fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

/// `limits.sites_per_meeting` → `limits-sites-per-meeting`.
pub fn flag(key: &str) -> String {
    key.replace(['.', '_'], "-")
}

/// The settings among environment variables. One that only looks like a setting is a mistake, as an
/// unknown field of the file is.
pub fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Result<Overrides, StartError> {
    let ours =
        variables.filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()));
    let settings = ours.map(|(name, value)| match SETTINGS.iter().find(|s| variable(s.key) == name) {
        Some(setting) => Ok((setting.key.to_owned(), value)),
        None => Err(StartError::config(format!("biến môi trường {name}: không có thiết lập này"))),
    });
    settings.collect()
}

fn one<T: FromStr>(target: &mut T, text: &str) -> Result<(), String> {
    *target = parse(text)?;
    Ok(())
}

fn many<T: FromStr>(target: &mut Vec<T>, text: &str) -> Result<(), String> {
    let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    *target = parts.map(parse).collect::<Result<_, _>>()?;
    Ok(())
}

fn parse<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "không hợp lệ".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_settings_and_nothing_else() {
        let read = |variables: &[(&str, &str)]| {
            from_environment(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
        };
        let known = [("NHIPCAU_LIMITS_CONNECTIONS", "5"), ("NHIPCAU_LOG", "debug"), ("HOME", "/root")];
        assert_eq!(read(&known), Ok(vec![("limits.connections".to_owned(), "5".to_owned())]));
        let error = read(&[("NHIPCAU_HTPP", "x")]).expect_err("a slip of the keyboard");
        assert!(error.sentence.contains("NHIPCAU_HTPP"), "{error}");
    }

    #[test]
    fn every_setting_takes_text() {
        let mut config = Config::default();
        for setting in SETTINGS {
            let value = match setting.key {
                "http" | "https" | "metrics" => "127.0.0.1:0",
                "media.listen" | "media.advertise" => "10.0.0.1, ::1",
                "names" => "a.example,b.example",
                _ => "17",
            };
            (setting.apply)(&mut config, value).expect(setting.key);
        }
        assert_eq!(config.media.advertise.len(), 2);
        assert_eq!(config.limits.connections, 17);
        let apply = find("http").expect("a setting").apply;
        assert!(apply(&mut config, "nowhere").is_err());
    }
}
