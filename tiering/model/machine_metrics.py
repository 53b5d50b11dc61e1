"""Metrics of the whole machine, counters by their kernel names: the first part of the one table."""

from tiering.model.metric import Metric

MACHINE: tuple[Metric, ...] = (
    Metric("time_ns", "ns", "machine", "Simulated time at which the row was sampled."),
    Metric("accesses", "", "machine", "Accesses that reached memory, all processes.", counter=True),
    Metric(
        "throughput", "accesses/s", "machine", "Accesses per simulated second since the last row."
    ),
    Metric("top_tier_share", "", "machine", "Share of accesses served by top-tier nodes."),
    Metric(
        "oracle_share", "", "machine", "Largest share any placement could reach at this instant."
    ),
    Metric(
        "precision", "", "machine",
        "Part of the folios reported since the last row that are among the hottest that the top "
        "tier could hold; no value where nothing was reported or all folios are alike.",
    ),
    Metric(
        "recall", "", "machine",
        "Part of the hot folios on the slow tier that full scans, those ended since the last row, "
        "reported; no value where none ended or all folios are alike.",
    ),
    Metric(
        "mean_latency_ns", "ns", "machine", "Mean loaded latency of an access, page walk included."
    ),
    Metric(
        "promote_mib_s", "MiB/s", "machine", "Promoted since the last row, per simulated second."
    ),
    Metric("demote_mib_s", "MiB/s", "machine", "Demoted since the last row, per simulated second."),
    Metric("pgpromote_success", "pages", "machine", "Pages promoted.", counter=True),
    Metric(
        "pgpromote_candidate", "", "machine",
        "Folios queued for promotion; behind a threshold, pages below it, even where the rate "
        "refused them.",
        counter=True,
    ),
    Metric(
        "pgmigrate_fail", "folios", "machine", "Promotions that failed, all causes.", counter=True
    ),
    Metric(
        "migrate_stale", "folios", "machine", "Candidates no longer on the slow tier.", counter=True
    ),
    Metric(
        "migrate_no_room", "folios", "machine", "Promotions refused: target full.", counter=True
    ),
    Metric(
        "migrate_pinned", "folios", "machine", "Promotions that failed: extra references.",
        counter=True,
    ),
    Metric(
        "migrate_shared", "folios", "machine", "Promotions refused: mapped by several mms.",
        counter=True,
    ),
    Metric(
        "migrate_limited", "folios", "machine", "Promotions refused: rate limit reached.",
        counter=True,
    ),
    Metric(
        "migrate_cold", "folios", "machine", "Candidates that were hot no more when tried.",
        counter=True,
    ),
    Metric(
        "nr_kmmscand_vma_scans", "", "machine",
        "VMAs walked to their end by the scanner (nr_kscand_ from V2 on, as the next three).",
        counter=True,
    ),
    Metric(
        "nr_kmmscand_slowtier", "PTEs", "machine", "PTEs walked whose folio is on the slow tier.",
        counter=True,
    ),
    Metric(
        "nr_kmmscand_toptier", "PTEs", "machine", "PTEs walked whose folio is on the top tier.",
        counter=True,
    ),
    Metric(
        "nr_kmmscand_idlepage", "PTEs", "machine", "Slow-tier PTEs walked that were not useful.",
        counter=True,
    ),
    Metric(
        "nr_kscand_coldpage", "PTEs", "machine",
        "Slow-tier PTEs walked whose folio was idle since the walk before; counted by V3.",
        counter=True,
    ),
    Metric(
        "nr_kscand_hotpage", "folios", "machine",
        "Candidates that were still hot when tried, where that is asked.", counter=True,
    ),
    Metric(
        "thp_split_pmd", "", "machine", "Huge mappings that a scan split into PTEs.", counter=True,
    ),
    Metric(
        "scan_unmapped", "pages", "machine",
        "Page cache that nobody maps, seen by a physical scan, which finds no accessed bit of it.",
        counter=True,
    ),
    Metric(
        "migrate_refused", "folios", "machine",
        "Promotions refused: the class of the process is never promoted.", counter=True,
    ),
    Metric(
        "migrate_capped", "folios", "machine",
        "Promotions refused: the class holds its most of the top tier.", counter=True,
    ),
    Metric(
        "migrate_over_share", "folios", "machine",
        "Promotions refused: the class had its share of the rate limit.", counter=True,
    ),
    Metric(
        "pghot_recorded_accesses", "", "machine", "Reports that went into hotness records.",
        counter=True,
    ),
    Metric(
        "pgpromote_candidate_nrl", "pages", "machine",
        "Pages that passed the gate because the target had room to spare.", counter=True,
    ),
    Metric(
        "promote_too_old", "folios", "machine",
        "Hot folios refused by the threshold on their latency.", counter=True,
    ),
    Metric(
        "promote_limited", "folios", "machine",
        "Hot folios refused by the promotion rate limit.", counter=True,
    ),
    Metric(
        "promote_refused", "folios", "machine",
        "Hot folios that the rule by frequency or the user's policy refused.", counter=True,
    ),
    Metric(
        "promote_inactive", "folios", "machine",
        "Hot folios that were not active, and were activated instead.", counter=True,
    ),
    Metric("hot_threshold_ms", "ms", "machine", "Threshold in force; 0 where there is none."),
    Metric("numa_pte_updates", "pages", "machine", "Pages marked for hint faults.", counter=True),
    Metric("numa_hint_faults", "folios", "machine", "Hint faults.", counter=True),
    Metric(
        "numa_hint_faults_local", "folios", "machine",
        "Hint faults on folios of the node on which the task runs.", counter=True,
    ),
    Metric(
        "numa_pages_migrated", "pages", "machine", "Pages of tasks that fault that were promoted.",
        counter=True,
    ),
    Metric(
        "numa_hint_page_cache", "", "machine",
        "Reads of hot page cache that nobody maps that asked for its promotion.", counter=True,
    ),
    Metric("chmu_listed", "", "machine", "Entries of hot lists that were read.", counter=True),
    Metric(
        "chmu_lost", "", "machine", "Entries that found no room on a hot list.", counter=True
    ),
    Metric("hw_samples", "", "machine", "Accesses sampled and kept.", counter=True),
    Metric(
        "hw_samples_lost", "", "machine", "Samples that found no room in the buffer.", counter=True
    ),
    Metric("damon_nr_checks", "pages", "machine", "Pages that DAMON sampled.", counter=True),
    *(
        Metric(f"damos_{scheme}_{name}", unit, "machine", f"DAMOS migrate_{scheme}: {meaning}",
               counter=name != "effective_bytes")
        for scheme in ("hot", "cold")
        for name, unit, meaning in (
            ("nr_tried", "regions", "regions that it tried to act on."),
            ("sz_tried", "bytes", "size of them, which the quota is charged with."),
            ("nr_applied", "regions", "regions of which folios passed its filter."),
            ("sz_applied", "bytes", "size that it moved."),
            ("qt_exceeds", "", "charge windows that used up their quota."),
            ("effective_bytes", "bytes", "quota of the charge window; 0 where there is none."),
        )
    ),
    Metric("queue_len", "folios", "machine", "Candidates waiting for migration."),
    Metric("queue_age_ms", "ms", "machine", "Time that the oldest waiting candidate has waited."),
    Metric(
        "candidate_age_ms", "ms", "machine",
        "Mean time that candidates handled since the last row had waited.",
    ),
    Metric("queue_dropped", "folios", "machine", "Candidates dropped: queue full.", counter=True),
    Metric("pgdemote_kswapd", "pages", "machine", "Pages demoted by kswapd.", counter=True),
    Metric(
        "pgdemote_direct", "pages", "machine", "Pages demoted by allocating tasks.", counter=True
    ),
    Metric(
        "pgdemote_proactive", "pages", "machine", "Pages demoted before memory ran short.",
        counter=True,
    ),
    Metric("demote_fail", "folios", "machine", "Demotions that found no room below.", counter=True),
    Metric("pgdemote_damon", "pages", "machine", "Pages demoted by DAMOS.", counter=True),
    Metric(
        "demote_untouched", "pages", "machine",
        "Pages demoted that were not touched since their promotion.", counter=True,
    ),
    Metric(
        "ping_pong", "pages", "machine", "Pages demoted soon after their promotion.", counter=True
    ),
    Metric(
        "memcg_low", "pages", "machine",
        "Pages demoted of classes that held no more than is protected: nothing else was left.",
        counter=True,
    ),
    Metric("reclaim_scanned", "folios", "machine", "Folios looked at by reclaim.", counter=True),
    Metric("pgfault", "folios", "machine", "First touches while the run lasts.", counter=True),
)  # fmt: skip
