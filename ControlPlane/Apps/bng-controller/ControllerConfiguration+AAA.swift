// SPDX-License-Identifier: Apache-2.0
// The configuration of AAA in the words of the subscriber plane, and what operators read of it in the log.

import BNGConfiguration
import BNGCore
import Logging
import SubscriberDriver
import Subscribers

extension ControllerConfiguration {
    /// - Parameters:
    ///   - authority: nil if the chain is empty.
    ///   - accounting: nil if nothing is to be accounted.
    func aaaPolicy(
        authority: (any Authorizing)?, accounting: (any AccountingOutlet)?, firstSequence: UInt64, logger: Logger
    ) -> AAAPolicy {
        var policy = AAAPolicy()
        policy.authority = authority
        policy.catalog = self.catalog
        let templates = Dictionary(
            self.accessDomains.map { ($0.id, self.userName(in: $0.id)) }, uniquingKeysWith: { first, _ in first })
        let usual = self.aaa.userName
        policy.userName = { facts in (templates[facts.accessDomain] ?? usual).render(facts) }
        policy.onReject = self.aaa.onReject
        policy.onUnavailable = self.aaa.onUnavailable
        policy.aboveLimit = self.aaa.users
        policy.accounting = accounting
        policy.firstAccountingSequence = firstSequence
        policy.report = { $0.log(to: logger) }
        return policy
    }
}

extension PlaneReport {
    func log(to logger: Logger) {
        switch self {
        case .unservable(let user, let problem):
            logger.error("AAA granted what cannot be served", metadata: ["user": "\(user)", "problem": "\(problem)"])
        case .rejected(let user, let line, let message):
            logger.info("rejected", metadata: ["user": "\(user)", "line": "\(line)", "message": "\(message)"])
        case .lockedOut(let line, let failures):
            logger.notice("locked out", metadata: ["line": "\(line)", "failures": "\(failures)"])
        case .authorityUnavailable(let user):
            logger.debug("no AAA source answered", metadata: ["user": "\(user)"])
        case .changeRefused(let session):
            logger.warning("a change was refused and undone", metadata: ["session": "\(session)"])
        }
    }
}
