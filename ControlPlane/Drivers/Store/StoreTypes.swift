// SPDX-License-Identifier: Apache-2.0
// The store's vocabulary: what may be changed, what can go wrong, what is loaded at start.

import BNGCore
import Fleet
import Subscribers

/// One durable change. The changes of one `submit` become durable together or not at all.
public enum StoreOperation: Sendable, Equatable {
    /// Inserts or replaces a live session.
    indirect case putSession(SessionRecord)
    /// Moves the lease's end; never to an earlier time.
    case renewLease(SessionID, until: UTCTime)
    /// The same of the IPv6 lease; nothing for a session that holds no IPv6.
    case renewIPv6Lease(SessionID, until: UTCTime)
    /// Moves a session to the history.
    indirect case endSession(SessionRecord)
    case putBinding(StickyBinding)
    case putPrefixBinding(StickyPrefixBinding)
    /// Remembers blocks that rest; the session that held them has given them back.
    case restNAT(NATRest, of: SessionID)
    case removeBinding(vrf: VRF, address: IPv4Address)
    /// Session counters below `limit` are spent for this issuer.
    case reserveSessionCounters(issuer: UInt16, limit: UInt64)
    case saveTerm(scope: String, term: UInt64)
    case saveSessionEpoch(node: NodeName, epoch: UInt64)
    /// `content`: a digest of the object without its generation.
    case saveGeneration(node: NodeName, key: ObjectKey, generation: Generation, content: [UInt8])
    /// Writes a record into the accounting spool.
    indirect case putAccounting(AccountingRecord)
    /// Records that have been delivered.
    case removeAccounting([UInt64])
    /// What a live session's node has counted.
    case countSession(SessionID, SessionTotals, base: SessionTotals)
    case putNote(SessionNote)
    /// Accounting-On or -Off of a node is in the spool.
    case setAccounted(node: NodeName, Bool)
    /// Inserts or replaces a local subscriber.
    case putSubscriber(LocalSubscriber)
    case removeSubscriber(name: String)
    /// Forgets ended sessions, and blocks that have rested.
    case pruneHistory(endedBefore: UTCTime)
    /// Forgets some of the blocks returned before a time.
    case pruneNATLog(returnedBefore: UTCTime)
    /// An output has delivered the NAT records up to a number; those all outputs have delivered are forgotten.
    case advanceNATRecords(output: String, to: UInt64)
    case identity(IdentityOperation)
}

/// Why the store refused.
public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A live session of another id has the same line or the same address.
    case conflict(String)
    /// The file was written by a newer version.
    case newerSchema(found: Int, known: Int)
    case closed
    /// Disk full, I/O error, damaged file: SQLite's words.
    case database(String)

    public var description: String {
        switch self {
        case .conflict(let what): return "conflict: \(what)"
        case .newerSchema(let found, let known):
            return "the database has schema \(found), this version knows up to \(known): it was written by a newer"
                + " bng-controller. Install that version again, or restore the backup it made before it migrated"
        case .closed: return "the store is closed"
        case .database(let words): return words
        }
    }
}

/// What a controller needs in memory when it starts.
public struct StoredState: Sendable {
    /// Live sessions: active, or being removed.
    public var sessions: [SessionRecord] = []
    /// By end of quarantine, so that a line's newest comes last.
    public var bindings: [StickyBinding] = []
    /// Likewise.
    public var prefixBindings: [StickyPrefixBinding] = []
    public var natRests: [NATRest] = []
    public var subscribers: [LocalSubscriber] = []
    public var sessionEpochs: [NodeName: UInt64] = [:]
    public var generations: [NodeName: [ObjectKey: (generation: Generation, content: [UInt8])]] = [:]

    public init() {}
}
