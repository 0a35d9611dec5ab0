// SPDX-License-Identifier: Apache-2.0
// What becomes of customers AAA does not accept, cannot be asked about, or has accepted too often.

import BNGCore

/// What becomes of a rejected customer.
public enum RejectPolicy: Sendable, Equatable {
    /// The client hears nothing and may ask again.
    case silence
    /// As silence; after so many rejections in a row nobody is asked for that time.
    case lockOut(after: UInt32, for: Seconds)
    /// Served with this plan.
    case garden(plan: String)
}

/// What becomes of a customer while nobody can decide.
public enum OutagePolicy: Sendable, Equatable {
    case refuse
    /// What the line's last session was granted; refused if that is not known.
    case lastKnown
    case plan(String)
}

/// Who goes when a user has more sessions than the plan allows.
public enum UserLimitPolicy: String, Sendable, CaseIterable {
    /// The oldest session.
    case replace
    /// The newcomer.
    case deny
}
