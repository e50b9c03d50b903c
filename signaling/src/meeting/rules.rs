//! Which role may do what: one table.

use protocol::{Action, ActionKind, Role};

/// Every act, in the order it is shown.
const ALL: [ActionKind; 10] = [
    ActionKind::Mute,
    ActionKind::AllowUnmute,
    ActionKind::MuteAll,
    ActionKind::AllowUnmuteAll,
    ActionKind::BigScreen,
    ActionKind::Remove,
    ActionKind::Readmit,
    ActionKind::Lock,
    ActionKind::End,
    ActionKind::ShareContent,
];

/// The table.
pub fn may(role: Role, act: ActionKind) -> bool {
    use ActionKind::*;
    match (role, act) {
        (Role::Chair, _) => true,
        (Role::Site, ShareContent) => true,
        (
            Role::Site,
            Mute | AllowUnmute | MuteAll | AllowUnmuteAll | BigScreen | Remove | Readmit | Lock | End,
        ) => false,
    }
}

/// All that `role` may do.
pub fn allowed(role: Role) -> Vec<ActionKind> {
    ALL.into_iter().filter(|act| may(role, *act)).collect()
}

/// The row of the table an act belongs to.
pub fn kind_of(action: &Action) -> ActionKind {
    match action {
        Action::Mute { .. } => ActionKind::Mute,
        Action::AllowUnmute { .. } => ActionKind::AllowUnmute,
        Action::MuteAll {} => ActionKind::MuteAll,
        Action::AllowUnmuteAll {} => ActionKind::AllowUnmuteAll,
        Action::BigScreen { .. } => ActionKind::BigScreen,
        Action::Remove { .. } => ActionKind::Remove,
        Action::Readmit { .. } => ActionKind::Readmit,
        Action::Lock { .. } => ActionKind::Lock,
        Action::End {} => ActionKind::End,
    }
}
